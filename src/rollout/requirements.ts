import type { Definition } from '../definitions/definition.ts'
import { requiredPackage } from '../definitions/requires/requiredPackage.ts'
import { refuse, type Refusal } from '../decision/refuse.ts'
import { instancesOn, isReachable } from '../fleet/serving.ts'
import type { RequirementFacts } from '../protocol/requirements.ts'
import type { Answered, Begun, RolloutFeature } from './rolloutFeature.ts'
import { wantedOn } from './serviceView.ts'
import type { State } from './state.ts'

/** The requirements of a release, on the machines that are to run it. */
export const requirements: RolloutFeature = {
  refuse: (state, { kind, definition, answered = {} }) =>
    kind === 'deploy' && definition ? refuseRequirements(state, definition, answered) : null,
  warnings: requirementWarnings,
}

/** A requirement that a machine does not meet. */
interface Lack {
  machine: string
  /** Follows "machine a": "lacks the program psql". */
  words: string
  /** The Debian package that would help. */
  install?: string
}

/** Whether anything about this release must be asked of the machines. */
export const hasRequirements = ({ requires, jail }: Definition): boolean =>
  requires !== undefined || jail?.addresses !== undefined

/** The machines that are to run the release, and of which an answer can be expected. */
export const machinesToAsk = (state: State, definition: Definition): string[] =>
  Object.keys(state.machines)
    .filter((one) => wantedOn(state, definition, one) > 0 && isReachable(state, one))
    .sort()

/** Refuses a release where a machine that is to run it lacks something that it requires. */
function refuseRequirements(state: State, definition: Definition, answered: Answered): Refusal | null {
  const lacks = lacksOf(state, definition, answered)
  if (lacks.length === 0) return null
  const message = lacks.map(({ machine, words }) => `machine ${machine} ${words}`).join('; ')
  return refuse('E_REQUIREMENTS', message, definition.service, remedy(lacks, definition.service, state.config.laptop))
}

/** Doubtful things about the requirements of a rollout that has just begun: none but a deployment is refused for them. */
function requirementWarnings(state: State, { service, kind, release }: Begun, answered: Answered): string[] {
  const definition = state.releases[release]?.definition
  if (kind === 'stop' || kind === 'remove' || !definition || !hasRequirements(definition)) return []
  const silent = machinesToAsk(state, definition).filter((machine) => (answered[machine] ?? null) === null)
  const undpkged = machinesToAsk(state, definition).filter((machine) => answered[machine]?.missingPackages === null)
  return [
    ...lackingNow(state, definition, answered).map(({ what }) => what),
    ...silent.map((machine) => `machine ${machine} did not say whether it has all that ${service} requires`),
    ...undpkged.map(
      (machine) => `machine ${machine} has no dpkg: the packages that ${service} requires are not checked`,
    ),
  ]
}

/** A service that runs, or is to run, where something that its release requires is missing by now. */
export interface Lacking {
  what: string
  next: string
}

/** A reboot, a catch-up and a revert start a release without asking: this says what they would meet. */
export function lackingNow(state: State, definition: Definition, answered: Answered): Lacking[] {
  const lacks = lacksOf(state, definition, answered)
  return lacks.map((lack) => ({
    what: `machine ${lack.machine} ${lack.words}, which ${definition.service} requires`,
    next: remedy([lack], definition.service, state.config.laptop),
  }))
}

function lacksOf(state: State, definition: Definition, answered: Answered): Lack[] {
  return machinesToAsk(state, definition).flatMap((machine) => {
    const facts = answered[machine]
    if (!facts) return []
    const runs = instancesOn(state, definition.service, machine).length > 0
    return lacksOn(machine, definition, facts, runs)
  })
}

function lacksOn(machine: string, { requires = {} }: Definition, facts: RequirementFacts, runs: boolean): Lack[] {
  const { missingCommands, missingPackages, architecture, cannotJail } = facts
  const lack = (words: string, install?: string): Lack => ({ machine, words, ...(install ? { install } : {}) })
  return [
    ...missingCommands.map((name) => lack(`lacks the program ${name}`, packageOf(name))),
    ...(missingPackages ?? []).map(({ wanted, installed }) =>
      lack(
        installed === null
          ? `lacks the package ${wanted}`
          : `has ${wanted.split(/[<>=]/, 1)[0]} ${installed}, not ${wanted}`,
        requiredPackage(wanted).name,
      ),
    ),
    ...(requires.architecture !== undefined && requires.architecture !== architecture
      ? [lack(`is ${architecture}, not ${requires.architecture}`)]
      : []),
    // An instance that runs there already has shown that it fits, and has taken its part.
    ...(runs ? [] : [...tooLittle('memory', requires.memoryBytes, facts.memoryBytes)].map((words) => lack(words))),
    ...(runs ? [] : [...tooLittle('disk', requires.diskBytes, facts.diskBytes)].map((words) => lack(words))),
    ...(cannotJail === null ? [] : [lack(cannotJail, cannotJail.includes('nftables') ? 'nftables' : undefined)]),
  ]
}

function tooLittle(what: string, wanted: number | undefined, left: number | null): string[] {
  if (wanted === undefined || left === null || left >= wanted) return []
  return [`has ${inWords(left)} of ${what} left, not ${inWords(wanted)}`]
}

function inWords(bytes: number): string {
  const [unit, size] = bytes >= 1024 ** 3 ? (['G', 1024 ** 3] as const) : (['M', 1024 ** 2] as const)
  // Rounded down: "2G left, not 2G" would puzzle.
  return `${Math.floor((bytes / size) * 10) / 10}${unit}`
}

/** Debian's package of programs that services often call, where it has another name. */
const packages: Readonly<Record<string, string>> = {
  psql: 'postgresql-client',
  pg_isready: 'postgresql-client',
  pg_dump: 'postgresql-client',
  'redis-cli': 'redis-tools',
  mysql: 'mariadb-client',
  mariadb: 'mariadb-client',
  node: 'nodejs',
  npm: 'npm',
  java: 'default-jre-headless',
  php: 'php-cli',
  convert: 'imagemagick',
  erl: 'erlang-base',
  pip: 'python3-pip',
  python: 'python-is-python3',
  gs: 'ghostscript',
  pdftotext: 'poppler-utils',
  soffice: 'libreoffice-core',
  dig: 'bind9-dnsutils',
  ssh: 'openssh-client',
}

function packageOf(command: string): string {
  const name = command.split('/').at(-1) ?? command
  return packages[name] ?? name.toLowerCase()
}

/** The command that installs what is missing, with the text of its script. */
function remedy(lacks: readonly Lack[], service: string, isLaptop: boolean): string {
  const install = [...new Set(lacks.flatMap((lack) => lack.install ?? []))]
  if (install.length === 0)
    return `change \`requires\` or \`machines\` in the tandem.yaml of ${service}, or the machine`
  if (isLaptop) return `install on this computer: ${install.join(' ')}`
  const machines = [...new Set(lacks.flatMap(({ machine, install: one }) => (one ? [machine] : [])))]
  const lines = [
    '#!/bin/sh',
    'set -e',
    'apt-get update',
    `DEBIAN_FRONTEND=noninteractive apt-get install -y ${install.join(' ')}`,
  ]
  const script = `printf '%s\\n' ${lines.map((line) => `'${line}'`).join(' ')} > install.sh`
  const patches = machines.map((machine) => `tandem machine patch ${machine} --script install.sh --no-reboot`)
  return [script, ...patches].join(' && ')
}
