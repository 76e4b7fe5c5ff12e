import type { configOperations, ConfigVersionView, SettingView } from '../../api/config.ts'
import type { Definition } from '../../definitions/definition.ts'
import { newestConfig, type ConfigVersion } from '../../config/state.ts'
import { noSuchService } from '../../decision/knownServices.ts'
import { newestRelease } from '../../fleet/serving.ts'
import type { Handlers, Rooms } from '../handlers.ts'
import { refusalError } from '../refusalError.ts'

export function configHandlers({ controller }: Rooms): Handlers<keyof typeof configOperations> {
  const answerOf = (service: string) => (events: readonly unknown[]) => ({
    position: controller.state.position,
    version: newestConfig(controller.state, service)?.version ?? null,
    changed: events.length > 0,
  })
  return {
    serviceConfig: ({ params: { service } }) => {
      const { services, generations, releases, configs } = controller.state
      const known = services[service]
      const release = releases[known?.current?.release ?? ''] ?? newestRelease({ releases }, service)
      if (!release) throw refusalError(noSuchService(controller.state, service))
      const newest = newestConfig(controller.state, service)
      const runs = generations[known?.current?.generation ?? '']?.pins?.config
      return {
        ...{ service, settings: settingsOf(release.definition, newest, runs?.values ?? {}) },
        ...{ newest: newest?.version ?? null, runs: runs?.version ?? null, rejected: known?.rejected?.config ?? null },
        running: known?.current != null && !known.stopped,
        versions: (configs[service] ?? []).map(versionView).toReversed(),
      }
    },
    changeConfig: ({ params: { service }, body }) => ({
      request: () => ({ type: 'ChangeConfig', service, ...body }),
      answer: answerOf(service),
    }),
    rollbackConfig: ({ params: { service }, body }) => ({
      request: () => ({ type: 'RollbackConfig', service, ...body }),
      answer: answerOf(service),
    }),
  }
}

function settingsOf(
  { config: settings = {} }: Definition,
  newest: ConfigVersion | null,
  runs: Record<string, string>,
): SettingView[] {
  const set = newest?.values ?? {}
  const names = [...new Set([...Object.keys(settings), ...Object.keys(set)])].sort()
  return names.map((name) => {
    const { type = 'text', default: fallback, required = false } = settings[name] ?? {}
    return {
      ...{ name, type, default: fallback ?? null, required, known: Object.hasOwn(settings, name) },
      ...{ set: set[name] ?? null, runs: runs[name] ?? null },
    }
  })
}

const versionView = ({ at, ...version }: ConfigVersion): ConfigVersionView => ({
  ...version,
  at: new Date(at).toISOString(),
})
