import type { JSX } from 'preact'
import { useCluster } from '../lib/cluster.ts'
import { Glyph } from '../lib/glyph.tsx'
import { count } from '../lib/numbers.ts'
import { PageFrame } from '../lib/page.tsx'
import { clockTime } from '../lib/time.ts'
import { Findings } from './findings.tsx'
import { Invite } from './invite.tsx'
import { loadWords, machinesTitle, maintenanceWords } from './machineWords.ts'
import './machines.css'
import { useChecks } from './useChecks.ts'

export function MachinesPage(): JSX.Element {
  const { overview, past } = useCluster()
  const checks = useChecks()
  const { value } = overview
  if (value === null) return <PageFrame title="Machines" />
  const instances = value.services.flatMap((service) => service.instances)
  const findingsOf = (name: string): number =>
    checks.value?.find(({ machine }) => machine === name)?.findings.filter(({ level }) => level === 'wrong').length ?? 0
  return (
    <PageFrame title={machinesTitle(value)}>
      <ul class="machine-list">
        {value.machines.map((machine) => {
          const { name, state, version, lastSeen, problems } = machine
          const notes = value.notes.filter((note) => note.machine === name)
          const wrong = findingsOf(name) + problems.length
          const work = maintenanceWords(value, name)
          return (
            <li key={name}>
              <a href={`/machines/${encodeURIComponent(name)}`}>{name}</a>
              <Glyph state={state} />
              <span>{loadWords(value.load[name])}</span>
              <span class="second">{count(instances.filter((one) => one.machine === name).length, 'instance')}</span>
              <span class="second">{version === null ? 'version not reported' : `version ${version}`}</span>
              <span class="second">{lastSeen === null ? 'no report yet' : `reported ${clockTime(lastSeen)}`}</span>
              {wrong > 0 ? <Glyph state="behind">{count(wrong, 'finding')}</Glyph> : null}
              {work === null ? null : <Glyph state="running">{work}</Glyph>}
              {notes.map(({ text }) => (
                <Glyph key={text} state="noted">
                  {text}
                </Glyph>
              ))}
            </li>
          )
        })}
      </ul>
      {past === null && value.absent.length > 0 ? (
        <section class="machine-part" aria-labelledby="absent">
          <h2 id="absent">Not joined</h2>
          {value.absent.map((name) => (
            <Invite key={name} machine={name} />
          ))}
        </section>
      ) : null}
      {past === null ? (
        <div class="machine-part">
          <Findings
            check={checks.value?.find(({ machine }) => machine.startsWith('('))}
            command="tandem doctor --cluster"
          />
        </div>
      ) : null}
    </PageFrame>
  )
}
