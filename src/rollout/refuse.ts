import type { Refusal, RefusalCode } from './command.ts'

export function refuse(code: RefusalCode, message: string, subject: string, next: string): Refusal {
  return { type: 'refused', code, message, subject, next }
}
