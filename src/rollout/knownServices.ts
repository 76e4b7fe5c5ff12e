import type { State } from './state.ts'

/** The next step after a name that no service has. */
export function knownServices({ services }: Pick<State, 'services'>): string {
  const names = Object.keys(services).sort()
  return names.length > 0 ? `services: ${names.join(', ')}` : 'tandem push DIR   creates the first service'
}
