import type { Ability } from './slice.ts'

/** Programs that people run beside instances, and ports that they forward. Nothing of it is in a desired state. */
export const accessAbility: Ability<object> = {
  name: 'access',
  words: 'open a shell, run a command or forward a port beside an instance',
  wanted: () => null,
}
