import type { JSX } from 'preact'
import { useCallback } from 'preact/hooks'
import type { SecretUse } from '../../src/api/secrets.ts'
import type { Api } from '../lib/api.ts'
import { useCluster } from '../lib/cluster.ts'
import { Command } from '../lib/command.tsx'
import { Glyph } from '../lib/glyph.tsx'
import { Table } from '../lib/table.tsx'
import { shortTime } from '../lib/time.ts'
import { useAgain } from '../lib/useAgain.ts'
import { visible } from '../lib/visible.ts'
import type { Service } from './serviceWords.ts'

/** A new reason or name stands in no overview. */
const againMs = 60_000

interface Known {
  path: string
  newest: { at: string; by: string | null; reason: string | null } | null
  uses: SecretUse[]
}

/** The versions of secrets with which a service runs, and who changed them; never a value. */
export function Secrets({ service }: { service: Service }): JSX.Element | null {
  const secrets = service.secrets ?? []
  const known = useKnown(service)
  if (secrets.length === 0) return null
  const isOlder = secrets.some(({ version, newest, rejected }) => newest !== null && newest > version && !rejected)
  return (
    <section aria-labelledby="secrets">
      <h2 id="secrets">
        Secrets <span class="count">{secrets.length}</span>
      </h2>
      <Table label="secrets" heads={['secret', { number: 'version' }, 'newest', 'instances']}>
        {secrets.map(({ path, version, newest, rejected }) => {
          const more = known.find((one) => one.path === path)
          return (
            <tr key={path}>
              <th scope="row">{path}</th>
              <td class="number">{version}</td>
              <td>
                {newest === null ? (
                  <Glyph state="stopped">deleted</Glyph>
                ) : newest > version ? (
                  <Glyph state={rejected ? 'reverted' : 'behind'}>{`${newest}${rejected ? ', reverted' : ''}`}</Glyph>
                ) : (
                  newest
                )}{' '}
                {more?.newest ? <Changed {...more.newest} /> : null}
              </td>
              <td>{more ? instancesInWords(more.uses, service.service) : ''}</td>
            </tr>
          )
        })}
      </Table>
      {isOlder ? <Command>{`tandem restart ${service.service}`}</Command> : null}
    </section>
  )
}

function Changed({ at, by, reason }: NonNullable<Known['newest']>): JSX.Element {
  const { now } = useCluster()
  return (
    <span class="second">
      {by ?? 'not recorded'}, <time dateTime={at}>{shortTime(at, now.value)}</time>
      {reason === null ? '' : `: ${visible(reason)}`}
    </span>
  )
}

/** `2 on a, b`, and for each version where instances have several. */
export function instancesInWords(uses: readonly SecretUse[], service: string): string {
  const own = Map.groupBy(
    uses.filter((one) => one.service === service),
    ({ version }) => version,
  )
  const words = [...own].map(([version, all]) => {
    const machines = [...new Set(all.map(({ machine }) => machine))].join(', ')
    return `${all.length} on ${machines}${own.size === 1 ? '' : ` with ${version}`}`
  })
  return words.length === 0 ? 'none' : words.join('; ')
}

/** Asked for again when the versions or the instances of the service are others. */
function useKnown({ secrets = [], instances }: Service): Known[] {
  const paths = secrets.map(({ path }) => path).join(' ')
  const read = useCallback((api: Api, stop: AbortSignal) => readAll(api, paths, stop), [paths])
  const version = JSON.stringify([secrets, instances.map(({ id, machine }) => [id, machine])])
  return useAgain(read, againMs, version).value ?? []
}

async function readAll(api: Api, paths: string, stop: AbortSignal): Promise<Known[]> {
  const all = await Promise.allSettled(
    paths.split(' ').map(async (path): Promise<Known[]> => {
      if (path === '') return []
      const { secret, uses } = await api.call('secretVersions', { params: { path } }, stop)
      return [{ path, newest: secret.current, uses }]
    }),
  )
  stop.throwIfAborted()
  // Where one cannot be read, its versions are shown anyway.
  return all.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
}
