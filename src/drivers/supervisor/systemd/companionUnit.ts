import { quoteWord } from '../../../systemd/quoting.ts'

/*
 * A companion is a unit that runs beside an instance in a copy of its jail: the prober of `health.command`, or a shell.
 * Its text is made of the text of the instance's unit, so that it has the same jail whichever version wrote that.
 *
 *   copied    Every line of [Service] that is not listed below: user, data folder, environment and secrets, working
 *             directory, limits (they count in a control group of its own), slice, and each directive of the jail,
 *             also one that this file does not know.
 *   left out  The life of the instance (`notCopied`), except the `ExecStartPre=` after which its secret variables can be
 *             read. RuntimeDirectory= would be removed with the companion, although the instance still uses it.
 *   joined    /tmp, and where the unit has a private one, System V IPC (JoinsNamespaceOf=). Mounts are made again: a
 *             TemporaryFileSystem= is another one.
 *   own       The program, and the lines that the caller gives: its streams, how it ends.
 *
 * A stop of the instance stops its companions; a restart by systemd does not. No companion pulls its instance in.
 */
export interface Companion {
  /** Tells companions of one instance apart: `probe`. */
  name: string
  /** Name of its unit. Default: `companionUnit`. */
  unit?: string
  /** Absolute path of the program, then its arguments. */
  argv: readonly [string, ...string[]]
  /** Lines of [Service], such as `StandardInput=…`. */
  own: readonly string[]
}

const notCopied =
  /^(?:Type|Exec(?!StartPre=\+?\/bin\/true$)\w+|RemainAfterExit|Restart\w*|Timeout\w+|RuntimeMaxSec|NotifyAccess|Watchdog\w+|Kill\w+|SendSIG\w+|FinalKillSignal|Standard\w+|TTY\w+|Syslog\w+|Log\w+|RuntimeDirectory\w*|PIDFile|Sockets|FileDescriptorStore\w+|OOMPolicy)=/

export const companionUnitPattern = /^tandem-[A-Za-z0-9._-]+@[a-z][a-z0-9-]{0,39}\.service$/

/** The id of an instance contains no `@`, so that no instance has a unit of this name. */
export const companionUnit = (instanceUnit: string, name: string): string =>
  instanceUnit.replace(/\.service$/, `@${name}.service`)

/** `instanceText`: the text of the unit `instanceUnit`. */
export function companionText(instanceUnit: string, instanceText: string, companion: Companion): string {
  const { name, argv, own, unit = companionUnit(instanceUnit, name) } = companion
  const [executable, ...args] = argv
  return [
    `# ${unit}: runs beside ${instanceUnit}, in a copy of its jail.`,
    '# Written by Tandem, see docs/files.md; it is removed when it ends.',
    '',
    '[Unit]',
    `Description=${name} beside ${instanceUnit} (Tandem)`,
    `JoinsNamespaceOf=${instanceUnit}`,
    `StopPropagatedFrom=${instanceUnit}`,
    '',
    '[Service]',
    'Type=exec',
    // With the colon, systemd passes `$` in arguments to the program unchanged.
    `ExecStart=:${[executable, ...args].map(quoteWord).join(' ')}`,
    ...own,
    '',
    ...serviceLines(instanceText)
      .filter((line) => !notCopied.test(line))
      // Units of an earlier version run that command as root.
      .map((line) => line.replace('ExecStartPre=+', 'ExecStartPre=')),
    '',
  ].join('\n')
}

/** The lines of [Service]; lines that continue on the next are joined. */
function serviceLines(text: string): string[] {
  const joined = text.replaceAll(/\\\n\s*/g, ' ').split('\n')
  const start = joined.indexOf('[Service]')
  const end = joined.findIndex((line, index) => index > start && line.startsWith('['))
  if (start < 0) throw new Error('a unit without [Service]')
  return joined.slice(start + 1, end < 0 ? undefined : end).filter((line) => /^[A-Z]\w*=/.test(line))
}
