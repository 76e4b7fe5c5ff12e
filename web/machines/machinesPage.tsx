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
  return (
    <PageFrame title={machinesTitle(value)}>
      <ul class="machine-list">
        {value.machines.map((machine) => {
          const { name, state, version, lastSeen } = machine
          const notes = value.notes.filter((note) => note.machine === name)
          const wrong = value.wrong.filter((one) => one.machine === name && one.service === null && one.word !== state)
          const notices = wrong.filter(({ tone }) => tone === 'warn').length
          const work = maintenanceWords(value, name)
          return (
            <li key={name}>
              <a href={`/machines/${encodeURIComponent(name)}`}>{name}</a>
              <Glyph state={state} />
              <span>{loadWords(value, name)}</span>
              <span class="second">{count(instances.filter((one) => one.machine === name).length, 'instance')}</span>
              <span class="second">{version === null ? 'version not reported' : `version ${version}`}</span>
              <span class="second">{lastSeen === null ? 'no report yet' : `reported ${clockTime(lastSeen)}`}</span>
              {wrong.map(({ tone, word }) => (tone === 'bad' ? <Glyph state="failed">{word}</Glyph> : null))}
              {notices > 0 ? <Glyph state="behind">{count(notices, 'notice')}</Glyph> : null}
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
            heading="Checkup of the controller"
            check={checks.value?.find(({ machine }) => machine.startsWith('('))}
            command="tandem doctor --cluster"
          />
        </div>
      ) : null}
    </PageFrame>
  )
}
