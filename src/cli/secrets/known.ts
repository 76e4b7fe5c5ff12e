import type { ApiClient } from '../../api/client.ts'

export interface SecretWork {
  /** Makes the data folder of a controller from a backup; returns the cluster and the words that run the controller. */
  restoreController(options: {
    file: string
    identity: string
    data: string
  }): Promise<{ cluster: string; words: string[] }>
  /** Waits, for a limited time, until a restored controller has adopted what the machines run; returns whether it has. */
  awaitAdoption(options: { data: string; signal: AbortSignal }): Promise<boolean>
}

export const knownSecrets = async (client: ApiClient, signal: AbortSignal): Promise<string[]> =>
  (await client.call('secrets', {}, signal)).secrets.map(({ path }) => path)
