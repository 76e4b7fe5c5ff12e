import type { ReadonlySignal } from '@preact/signals'
import type { Check } from '../../src/api/checks.ts'
import type { Api } from '../lib/api.ts'
import { useAgain } from '../lib/useAgain.ts'

const againMs = 60_000

const read = async (api: Api, stop: AbortSignal): Promise<Check[]> => (await api.call('checks', {}, stop)).checks

/** The newest checkups; `null`: not known yet. The controller makes them after changes, at least every 5 minutes. */
export const useChecks = (): ReadonlySignal<Check[] | null> => useAgain(read, againMs)
