// @ts-check
/** Where the states and their main edges are drawn, by hand: once for a wide place, once for a phone. */

/** @typedef {import('./words.js').StateName} StateName */

/**
 * @typedef {object} Edge
 * @property {StateName} from
 * @property {StateName} to
 * @property {string} d
 * @property {readonly [text: string, x: number, y: number, anchor?: 'start' | 'end']} [label]
 */

/**
 * @typedef {object} Layout
 * @property {string} viewBox
 * @property {number} width of a node
 * @property {number} height
 * @property {Record<StateName, readonly [x: number, y: number]>} nodes centres
 * @property {readonly Edge[]} edges
 */

/** @type {Layout} */
export const WIDE = {
  viewBox: '0 -10 724 344',
  width: 130,
  height: 42,
  nodes: {
    idle: [66, 60],
    connecting: [250, 60],
    handshaking: [446, 60],
    open: [626, 164],
    waiting: [420, 164],
    closing: [626, 268],
    closed: [420, 268],
    suspended: [66, 268],
  },
  edges: [
    { from: 'idle', to: 'connecting', d: 'M131 60H181', label: ['connect', 156, 53] },
    { from: 'connecting', to: 'handshaking', d: 'M315 54H377', label: ['opened', 346, 47] },
    {
      from: 'handshaking',
      to: 'open',
      d: 'M511 60C568 60 600 86 612 140',
      label: ['welcomed', 588, 78, 'start'],
    },
    {
      from: 'connecting',
      to: 'open',
      d: 'M256 39C264 14 290 8 326 8H580C648 8 670 62 666 140',
      label: ['opened, without a handshake', 446, 0],
    },
    {
      from: 'open',
      to: 'connecting',
      d: 'M561 152C500 116 400 108 319 76',
      label: ['reconnect', 506, 115, 'start'],
    },
    {
      from: 'connecting',
      to: 'waiting',
      d: 'M296 81C312 112 326 130 352 147',
      label: ['failed', 332, 122, 'start'],
    },
    {
      from: 'waiting',
      to: 'connecting',
      d: 'M355 168C310 168 278 140 266 84',
      label: ['next attempt', 350, 188, 'end'],
    },
    { from: 'handshaking', to: 'waiting', d: 'M452 81V140' },
    { from: 'open', to: 'waiting', d: 'M561 166H489', label: ['lost, silent', 524, 181] },
    { from: 'open', to: 'closing', d: 'M626 185V244', label: ['close()', 634, 219, 'start'] },
    {
      from: 'open',
      to: 'closed',
      d: 'M590 185C570 222 530 244 488 258',
      label: ['final code', 556, 236, 'start'],
    },
    { from: 'closing', to: 'closed', d: 'M561 274H489', label: ['confirmed', 524, 289] },
    { from: 'waiting', to: 'closed', d: 'M420 185V244' },
    { from: 'connecting', to: 'closed', d: 'M248 81C252 170 290 244 351 260' },
    {
      from: 'closed',
      to: 'connecting',
      d: 'M355 276C270 276 222 200 228 84',
      label: ['connect', 262, 256, 'end'],
    },
    {
      from: 'suspended',
      to: 'connecting',
      d: 'M72 247C82 176 130 116 204 84',
      label: ['page is back', 96, 160, 'end'],
    },
    {
      from: 'open',
      to: 'suspended',
      d: 'M691 164H696Q708 164 708 176V304Q708 316 696 316H78Q66 316 66 304V293',
      label: ['page is put away', 420, 330],
    },
  ],
}

/** @type {Layout} */
export const NARROW = {
  viewBox: '-18 0 352 416',
  width: 130,
  height: 40,
  nodes: {
    idle: [65, 24],
    connecting: [65, 106],
    handshaking: [247, 106],
    waiting: [65, 208],
    open: [247, 208],
    closed: [65, 310],
    closing: [247, 310],
    suspended: [247, 388],
  },
  edges: [
    { from: 'idle', to: 'connecting', d: 'M65 44V83', label: ['connect', 73, 68, 'start'] },
    { from: 'connecting', to: 'handshaking', d: 'M130 106H178' },
    { from: 'handshaking', to: 'open', d: 'M262 126V185', label: ['welcomed', 270, 160, 'start'] },
    { from: 'connecting', to: 'open', d: 'M128 117C160 126 196 150 214 185' },
    { from: 'open', to: 'connecting', d: 'M190 188C166 164 140 140 108 129' },
    { from: 'connecting', to: 'waiting', d: 'M40 126V185', label: ['failed', 34, 160, 'end'] },
    { from: 'waiting', to: 'connecting', d: 'M76 188V129' },
    { from: 'handshaking', to: 'waiting', d: 'M230 126C200 160 160 180 133 200' },
    { from: 'open', to: 'waiting', d: 'M182 214H134', label: ['lost', 157, 230] },
    { from: 'open', to: 'closing', d: 'M262 228V287', label: ['close()', 270, 262, 'start'] },
    {
      from: 'open',
      to: 'closed',
      d: 'M216 228C196 260 160 286 133 302',
      label: ['final code', 178, 284, 'start'],
    },
    { from: 'closing', to: 'closed', d: 'M182 314H134' },
    { from: 'waiting', to: 'closed', d: 'M65 228V287' },
    { from: 'closed', to: 'connecting', d: 'M2 303C-13 280 -13 140 -1 113' },
    {
      from: 'suspended',
      to: 'connecting',
      d: 'M182 390H14Q-14 390 -14 362V120Q-14 102 -4 102',
      label: ['page is back', 100, 384],
    },
    { from: 'open', to: 'suspended', d: 'M312 208C330 220 330 370 315 384' },
  ],
}
