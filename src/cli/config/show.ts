import type { ConfigVersionView, SettingView } from '../../api/config.ts'
import { renderTable } from '../render/table.ts'
import { seen } from '../render/seen.ts'
import type { CommonFlags, Session } from '../session.ts'

export async function showConfig(session: Session, _flags: CommonFlags, service: string): Promise<number> {
  const { out, signal } = session
  const client = await session.client()
  const answer = await client.call('serviceConfig', { params: { service } }, signal)
  const { settings, newest, runs, rejected } = answer
  out.result(answer, () => {
    if (settings.length === 0) return `${service} has no settings: its definition has no \`config\``
    const rows = settings.map((one) => [one.name, valueOf(one), fits(one), one.runs ?? '-'])
    const isOlder = settings.some((one) => one.known && (one.set ?? one.default) !== one.runs)
    return [
      ...renderTable(['SETTING', 'VALUE', 'FITS', 'RUNS WITH'], rows, out.paint),
      '',
      `newest: ${newest ?? 'defaults'}; runs with: ${runs ?? 'defaults'}`,
      ...(rejected !== null && rejected === newest
        ? [
            `${out.paint('yellow', '!')} configuration ${rejected} was reverted; rollouts use the last good one until it changes`,
          ]
        : isOlder
          ? [`tandem restart ${service}   brings the newest to the instances`]
          : []),
    ].join('\n')
  })
  return 0
}

const valueOf = ({ set, default: fallback }: SettingView): string =>
  set ?? (fallback === null ? '-' : `${fallback} (default)`)

const fits = ({ type, required, known }: SettingView): string =>
  known ? `${type}${required ? ', required' : ''}` : 'unknown to this release'

export async function showHistory(session: Session, _flags: CommonFlags, service: string): Promise<number> {
  const { out, signal } = session
  const client = await session.client()
  const { versions, runs } = await client.call('serviceConfig', { params: { service } }, signal)
  const now = Date.now()
  out.result({ service, runs, versions }, () => {
    if (versions.length === 0) return `nobody has set anything of ${service}`
    const rows = versions.map((one, index) => [
      `${one.version}${one.version === runs ? ' (runs)' : ''}`,
      seen(one.at, now),
      one.by ?? 'not recorded',
      differenceOf(versions[index + 1], one),
      one.reason ?? '',
    ])
    return renderTable(['VERSION', 'AGE', 'BY', 'CHANGE', 'REASON'], rows, out.paint).join('\n')
  })
  return 0
}

/** `WORKERS=8, GREETING unset`. */
export function differenceOf(before: ConfigVersionView | undefined, after: ConfigVersionView): string {
  const [old, now] = [before?.values ?? {}, after.values]
  const names = [...new Set([...Object.keys(old), ...Object.keys(now)])]
    .sort()
    .filter((name) => old[name] !== now[name])
  return names.map((name) => (now[name] === undefined ? `${name} unset` : `${name}=${now[name]}`)).join(', ')
}
