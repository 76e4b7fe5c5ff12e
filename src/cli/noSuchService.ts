import { OperatorError } from '../lib/operatorError.ts'
import { meantBy } from './meant.ts'

export const noSuchService = (service: string, known: string[]): OperatorError =>
  new OperatorError('E_NO_SUCH_SERVICE', `there is no service ${service}`, {
    subject: service,
    next: meantBy(service, known, { all: 'services', first: 'tandem push   creates the first service' }),
  })
