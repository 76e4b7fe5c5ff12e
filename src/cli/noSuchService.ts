import { nearest } from '../definitions/suggest.ts'
import { OperatorError } from '../lib/operatorError.ts'

export function noSuchService(service: string, known: string[]): OperatorError {
  const meant = nearest(service, known)
  return new OperatorError('E_NO_SUCH_SERVICE', `there is no service ${service}`, {
    subject: service,
    next: meant
      ? `did you mean ${meant}?`
      : known.length > 0
        ? `services: ${known.join(', ')}`
        : 'tandem push   creates the first service',
  })
}
