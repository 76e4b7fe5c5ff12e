import type { CheckupArea, Finding } from '../protocol/checkup.ts'

export const wrong = (area: CheckupArea, what: string, next: string | null): Finding => ({
  ...{ area, level: 'wrong', what, next },
})

export const unchecked = (area: CheckupArea, why: string): Finding => ({
  ...{ area, level: 'unchecked', what: `not checked: ${why}`, next: null },
})
