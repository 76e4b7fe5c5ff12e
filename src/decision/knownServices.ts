import { refuse, type Refusal } from './refuse.ts'

interface Services {
  services: Readonly<Record<string, unknown>>
}

/** The next step after a name that no service has. */
export function knownServices({ services }: Services): string {
  const names = Object.keys(services).sort()
  return names.length > 0 ? `services: ${names.join(', ')}` : 'tandem push DIR   creates the first service'
}

export const noSuchService = (state: Services, service: string, next = knownServices(state)): Refusal =>
  refuse('E_NO_SUCH_SERVICE', `there is no service ${service}`, service, next)
