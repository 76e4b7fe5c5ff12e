import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useCluster } from '../lib/cluster.ts'
import { Command } from '../lib/command.tsx'
import { Action } from '../lib/action.tsx'
import { Glyph } from '../lib/glyph.tsx'
import { count } from '../lib/numbers.ts'
import { PageFrame } from '../lib/page.tsx'
import { refusalWords } from '../lib/rehearsal.ts'
import { clockTime, utcMinute } from '../lib/time.ts'
import { Findings } from './findings.tsx'
import { joinCommand, loadWords, machinesTitle, maintenanceWords } from './machineWords.ts'
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

/** Makes the command with which a machine of the cluster file joins; the machine stands in the list once it has. */
function Invite({ machine }: { machine: string }): JSX.Element {
  const { api } = useCluster()
  const made = useSignal<{ command: string; expiresAt: string } | null>(null)
  const refused = useSignal<string | null>(null)
  const run = (): void => {
    api.call('inviteMachine', { params: { machine } }).then(
      (invited) => (made.value = { command: joinCommand(invited), expiresAt: invited.expiresAt }),
      (error: unknown) => (refused.value = refusalWords(error).why),
    )
  }
  return (
    <>
      <Action label="Join command" command={`tandem machine add ${machine}`} refusal={refused.value} run={run}>
        {`Makes the command with which ${machine} joins: it works once, within one hour.`}
      </Action>
      {made.value === null ? null : (
        <div class="invited" role="status">
          <p>
            Run this as root on {machine}, until {utcMinute(made.value.expiresAt)}. Until then this page waits for its
            first report.
          </p>
          <Command>{made.value.command}</Command>
        </div>
      )}
    </>
  )
}
