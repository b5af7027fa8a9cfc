/** What every bench of messages sends, and how it sums up. */

export const MESSAGE = {
  type: 'say',
  room: 'lobby',
  from: 'ada',
  id: 123_456,
  text: 'The quick brown fox jumps over',
}

export const median = (numbers: number[]) => numbers.sort((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN
