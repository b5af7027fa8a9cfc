import { describe, test } from 'vitest'
import * as machine from '../support/machine'
import { connectionSchedules } from '../support/schedules'
import { limitSchedules } from '../support/schedules-of-limits'
import { peerSchedules } from '../support/schedules-of-peers'
import { ruleSchedules } from '../support/schedules-of-rules'

const schedules = { ...connectionSchedules, ...peerSchedules, ...ruleSchedules, ...limitSchedules }

describe('schedules, by hand', () => {
  test.each(Object.entries(schedules))('%s', (_, run) => run(machine))
})
