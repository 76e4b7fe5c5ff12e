import type { JSX } from 'preact'
import { useCluster } from '../lib/cluster.ts'
import { Glyph } from '../lib/glyph.tsx'
import { count } from '../lib/numbers.ts'
import { PageFrame } from '../lib/page.tsx'
import './logs.css'

/** The services to choose from; those that fail say so. */
export function ServicesPage(): JSX.Element {
  const { overview } = useCluster()
  const { value } = overview
  if (value === null) return <PageFrame title="Logs" />
  return (
    <PageFrame title="Logs of a service">
      <ul class="log-services">
        {value.services.map(({ service, instances }) => {
          const failed = instances.filter(({ state }) => state === 'failed')
          return (
            <li key={service}>
              <a href={`/logs/${service}`}>{service}</a>
              <span class="second">
                {instances.length === 0 ? 'no instance now' : count(instances.length, 'instance')}
              </span>
              {failed.map(({ id, machine, reason }) => (
                <a key={id} href={`/logs/${service}?instance=${encodeURIComponent(id)}`}>
                  <Glyph state="failed">{`failed on ${machine}: ${reason ?? 'last lines'}`}</Glyph>
                </a>
              ))}
            </li>
          )
        })}
      </ul>
    </PageFrame>
  )
}
