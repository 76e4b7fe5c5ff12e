import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import type { SecretUse } from '../../src/api/secrets.ts'
import { useCluster } from '../lib/cluster.ts'
import { Command } from '../lib/command.tsx'
import { Glyph } from '../lib/glyph.tsx'
import { Table } from '../lib/table.tsx'
import { shortTime } from '../lib/time.ts'
import { visible } from '../lib/visible.ts'
import type { Service } from './serviceWords.ts'

interface Known {
  path: string
  newest: { at: string; by: string | null; reason: string | null } | null
  uses: SecretUse[]
}

/** The versions of secrets with which a service runs, and who changed them; never a value. */
export function Secrets({ service }: { service: Service }): JSX.Element | null {
  const secrets = service.secrets ?? []
  const known = useKnown(secrets.map(({ path }) => path))
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

function useKnown(paths: readonly string[]): Known[] {
  const { api, past, overview } = useCluster()
  const found = useSignal<Known[]>([])
  const asked = paths.join(' ')
  const position = overview.value?.changes[0]?.position
  useEffect(() => {
    if (past !== null || asked === '') return
    const stop = new AbortController()
    const look = async (path: string): Promise<Known> => {
      const { secret, uses } = await api.call('secretVersions', { params: { path } }, stop.signal)
      return { path, newest: secret.current, uses }
    }
    // Where one cannot be read, its versions are shown anyway.
    void Promise.allSettled(asked.split(' ').map(look)).then((all) => {
      found.value = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    })
    return () => stop.abort()
  }, [api, asked, past, position, found])
  return found.value
}
