import { OperatorError } from '../lib/operatorError.ts'

/** Does the work, and explains to the operator where to look if a unit could not be installed or started. */
export async function explained(unit: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (cause) {
    if (cause instanceof OperatorError) throw cause
    throw new OperatorError('E_ENVIRONMENT', cause instanceof Error ? cause.message : String(cause), {
      subject: unit,
      next: `journalctl -u ${unit} -n 50   shows its last messages`,
      cause,
    })
  }
}
