import type { Status } from '../../api/views.ts'
import type { Paint } from '../paint.ts'
import { count } from './names.ts'
import { shortId } from '../../definitions/names.ts'

interface UpView {
  status: Status
  entries: Record<string, string>
  controller: string
  data: string
  context: string
  /** True if other commands use this cluster without --context. */
  current: boolean
  /** The controller to which the context led before, if that was another one. */
  replaced: string | null
  paint: Paint
}

/** The text that `up` prints when all parts accept work. */
export function renderUp({ status, entries, controller, data, context, current, replaced, paint }: UpView): string {
  const rows: [string, string][] = [
    ['controller', controller],
    ...Object.entries(entries).map(([name, url]): [string, string] => [`machine ${name}`, url]),
    ['data', data],
    ['secrets', `${data}/env/SERVICE.env`],
    ...status.services.map(({ service, release, instances, state }): [string, string] => {
      const ready = instances.filter((instance) => instance.state === 'ready').length
      const how = state === 'stopped' ? 'stopped' : `${ready} of ${count(instances.length, 'instance')} ready`
      return [`service ${service}`, `${release === null ? '-' : shortId(release)}  ${how}`]
    }),
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  const flag = current ? '' : ` --context ${context}`
  const next = status.services.length === 0 ? `tandem push examples/node${flag}` : `tandem status${flag}`
  return [
    `${paint('green', 'up')}  ${count(Object.keys(entries).length, 'machine')}, context ${paint('bold', context)}`,
    ...rows.map(([name, value]) => `  ${paint('dim', name.padEnd(width))}  ${value}`),
    ...(replaced === null
      ? []
      : [
          '',
          `  context ${context} led to ${replaced} before; to keep a context for each cluster: tandem up --context NAME`,
        ]),
    '',
    `  next  ${next}   in another terminal; Ctrl-C here stops everything`,
    `  page  tandem open${flag}   shows the cluster in a browser`,
  ].join('\n')
}
