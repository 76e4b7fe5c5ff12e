import { mostFindings, type Checkup, type CheckupArea, type Finding } from '../protocol/checkup.ts'
import { unchecked, wrong } from './findings.ts'
import { judgeCertificates, listCertificates } from './judgeCertificates.ts'
import { judgeFile, judgeHaproxy } from './judgeConfigurations.ts'
import { judgeDisks, judgeLimits } from './judgeRoom.ts'
import { judgeProblems } from './judgeProblems.ts'
import { judgePorts } from './judgePorts.ts'
import { judgeUnits } from './judgeUnits.ts'
import { compareVersions, judgePrograms } from './judgeVersions.ts'
import type { AgentState, Gathered, MachineFacts, SecretFile } from './machineFacts.ts'

/** Judges one machine by the facts gathered there. Pure. */
export function judgeMachine(facts: MachineFacts): Checkup {
  const { machine, now } = facts
  const checked: CheckupArea[] = []
  const judged = <T>(area: CheckupArea, gathered: Gathered<T>, judge: (seen: T) => Finding[]): Finding[] => {
    if (gathered === null) return []
    if ('why' in gathered) return [unchecked(area, gathered.why)]
    checked.push(area)
    return judge(gathered.seen)
  }
  const findings = [
    ...judged('agent', facts.agent, judgeAgent),
    ...judged('report', problemsOf(facts.agent), judgeProblems),
    ...judged('versions', facts.programs, judgePrograms),
    ...judged('clock', facts.clock, judgeSynchronised),
    ...judged('ports', facts.ports, judgePorts),
    ...judged('certificates', facts.certificates, (seen) => judgeCertificates(seen, now)),
    ...judged('disk', facts.disks, judgeDisks),
    ...judged('limits', facts.limits, judgeLimits),
    ...judged('haproxy', facts.haproxy, judgeHaproxy),
    ...facts.configurations.flatMap(({ area, state }) => judged(area, state, (seen) => judgeFile(area, seen))),
    ...judged('units', facts.units, judgeUnits),
    ...judged('secrets', facts.secrets, judgeSecrets),
  ]
  return {
    ...{ machine, checked, findings: findings.slice(0, mostFindings) },
    ...(facts.certificates !== null && 'seen' in facts.certificates
      ? { certificates: listCertificates(facts.certificates.seen) }
      : {}),
  }
}

/** `null` if the agent reports no problems because it does not answer. */
const problemsOf = (agent: Gathered<AgentState>): Gathered<string[]> =>
  agent !== null && 'seen' in agent && agent.seen.silent === null ? { seen: agent.seen.problems } : null

function judgeAgent({ silent, version, installed, connected }: AgentState): Finding[] {
  const restart =
    'systemctl restart tandem-agent.service   (services continue); a program installed by tandem upgrade stays until the next upgrade'
  if (silent !== null) {
    const next = 'systemctl status tandem-agent.service; journalctl -u tandem-agent'
    return [wrong('agent', `the agent does not answer: ${silent}`, next)]
  }
  return [
    ...(connected
      ? []
      : [
          wrong(
            'agent',
            'the agent is not connected to the controller: this machine gets no changes',
            'journalctl -u tandem-agent   shows why; check that the controller runs and is reachable from this machine',
          ),
        ]),
    // A version newer than the installed one was chosen by `tandem upgrade`.
    ...(compareVersions(version, installed) >= 0
      ? []
      : [wrong('agent', `the agent runs version ${version}, but ${installed} is installed`, restart)]),
  ]
}

function judgeSynchronised({ synchronised }: { synchronised: boolean }): Finding[] {
  if (synchronised) return []
  const next = 'timedatectl set-ntp true, or start the time service you use; timedatectl timesync-status'
  return [wrong('clock', 'nothing keeps the clock of this machine synchronised (NTPSynchronized=no)', next)]
}

function judgeSecrets(files: SecretFile[]): Finding[] {
  return files.flatMap(({ path, mode, isOurs }) => {
    if ((mode & 0o077) !== 0) {
      const what = `other users can read ${path} (mode ${mode.toString(8).padStart(4, '0')})`
      return [
        wrong(
          'secrets',
          what,
          `chmod 600 ${path}; then replace the secrets in the file: other users may have read them`,
        ),
      ]
    }
    return isOurs ? [] : [wrong('secrets', `${path} belongs to another user`, `chown root: ${path}`)]
  })
}
