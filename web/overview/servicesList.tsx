import type { JSX } from 'preact'
import type { Overview } from '../../src/api/overview.ts'
import { percent, rate } from '../lib/numbers.ts'
import { cellOf, type Line, type Service } from './cells.ts'
import { errorsClass, State } from './stateOfLine.tsx'

interface ListProps {
  overview: Overview
  services: Service[]
  now: number
}

/** The table of services for a narrow screen. */
export function ServicesList({ overview, services, now }: ListProps): JSX.Element {
  return (
    <ul class="list">
      {services.map((service) => (
        <li key={service.service}>
          <a class="name" href={`/services/${encodeURIComponent(service.service)}`}>
            {service.service}
          </a>
          {overview.machines.map(({ name }) => (
            <div key={name} class="at">
              <b>{name}</b>
              <div>
                {cellOf(overview, service, name, now).map((line) => (
                  <Item key={`${line.state} ${line.release}`} line={line} />
                ))}
              </div>
            </div>
          ))}
        </li>
      ))}
    </ul>
  )
}

function Item({ line }: { line: Line }): JSX.Element {
  return (
    <div>
      <State line={line} isDense={false} />
      {line.sentence !== null && <span class="second">{line.sentence}</span>}
      {line.lastLines !== null && <a href={line.lastLines}>last lines</a>}
      {line.perSecond !== null && <span class="figures">{rate(line.perSecond)} req/s</span>}
      {line.errors !== null && line.errors > 0 && (
        <span class={errorsClass(line)}>{percent(line.errors)} % errors</span>
      )}
    </div>
  )
}
