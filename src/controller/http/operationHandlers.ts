import type { Operations, Parsed, Result } from '../../api/contract.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import { commandInstance } from '../../protocol/ask.ts'
import type { Asks } from '../asks.ts'
import type { Channels } from '../channels.ts'
import type { Controller } from '../controller.ts'
import type { Deciding } from '../deciding.ts'
import { featureWarnings } from '../../rollout/features.ts'
import type { StartRollout } from '../../rollout/commands.ts'
import type { Answered } from '../../rollout/rolloutFeature.ts'
import { definitionToRun } from '../../rollout/startRollout.ts'
import { commandOrder } from '../services/commandOrder.ts'
import { placeToRun } from '../../rollout/placeToRun.ts'
import { unlessRefused } from '../refusalError.ts'
import { findEvents } from '../findEvents.ts'
import { findRollout } from '../findRollout.ts'
import { pastHandlers } from '../past/handlers.ts'
import { recover } from '../recover.ts'
import type { ReleaseRoom } from '../releaseRoom.ts'
import { wholeStatus } from '../statusView.ts'
import { askMachines, featureHandlers } from '../features.ts'
import type { Handlers, Rooms } from '../handlers.ts'
import { ownMachine } from './callers.ts'

/**
 * The calls of the API. Each takes its parsed input, runs a command or a read, and returns the view of it. A call that
 * can be a dry run returns its command and its view instead.
 */
export function operationHandlers(rooms: Rooms, { channels, asks }: { channels: Channels; asks: Asks }): Handlers {
  const { controller, releases, tokens, sessions, callers, membership, overview } = rooms
  const position = (): number => controller.state.position
  return {
    status: () => wholeStatus(rooms),
    overview: () => overview.now(),
    rollouts: ({ query }) => ({ rollouts: controller.history.all(query.service ?? null).slice(-query.limit) }),
    rollout: ({ params }) => findRollout(controller.history, params.id),
    startRollout: ({ body }) => startRollout({ controller, releases, asks }, body),
    abortRollout: ({ params }) => {
      const { id } = findRollout(controller.history, params.id)
      return {
        request: () => ({ type: 'AbortRollout', rollout: id }),
        answer: () => ({ position: position(), rollout: id }),
      }
    },
    releases: ({ query }) => ({ releases: controller.releases.all(query.service ?? null) }),
    findEvents: ({ query }) => findEvents(controller, query),
    // The depot checks that each item is a key.
    missingObjects: async ({ body }) => ({ missing: await releases.depot.missing(body.keys as `blob/${string}`[]) }),
    publishRelease: async ({ body }, { name: by }) => ({
      ...(await releases.publish(body.manifest, { by, source: body.source })),
      position: position(),
    }),
    drainMachine: ({ params, body }) => ({
      request: () => ({ type: 'DrainMachine', machine: params.machine, ...body }),
      answer: () => ({ position: position() }),
    }),
    readyMachine: ({ params }) => ({
      request: () => ({ type: 'ReadyMachine', machine: params.machine }),
      answer: () => ({ position: position() }),
    }),
    ...featureHandlers(rooms),
    ...pastHandlers(rooms),
    inviteMachine: ({ params }) => membership.invite(params.machine),
    join: ({ body }, caller) => membership.join(caller.role === 'joiner' ? caller.secret : '', body.request),
    renew: ({ body }, caller) => membership.renew(caller.machine ?? '', body.request),
    tokens: () => ({ tokens: tokens.list() }),
    createToken: async ({ body }) => {
      if (body.role === 'agent' && body.machine === null) {
        throw new OperatorError('E_USAGE', "an agent's token needs the machine that it speaks for", {
          subject: body.name,
        })
      }
      // In the log, `machine a` is the machine that reported.
      if (/^machine /i.test(body.name)) {
        throw new OperatorError('E_USAGE', 'the name of a token cannot begin with "machine "', {
          ...{ subject: body.name, next: 'choose another name: events name the machine that reported them like this' },
        })
      }
      return { token: await tokens.create(body, controller.now()) }
    },
    revokeToken: async ({ params }) => {
      const revoked = await tokens.revoke(params.id)
      callers.cutRefused()
      await sessions.prune(controller.now())
      return { revoked }
    },
    openCommand: ({ params, body }) => {
      const { service } = params
      const { argv } = body
      const { type: _, machine, ...place } = unlessRefused(placeToRun(controller.state, service, body.machine))
      const channel = controller.newId()
      const instance = commandInstance(service, channel)
      const alone = { service, generation: null, instance: null, argv, terminal: null }
      const order = commandOrder(controller, { ...alone, ...place, machine, id: instance })
      channels.offer(machine, { kind: 'command', id: channel, service, ...place, argv, ...order })
      return { channel, machine, instance }
    },
    recover: ({ body }) => recover(controller, body),
    report: async ({ body }, caller) => {
      ownMachine(caller, body.machine)
      const laterBoot = await controller.report(body)
      return { position: position(), laterBoot, takesChanges: true }
    },
  }
}

function startRollout(
  { controller, releases, asks }: { controller: Controller; releases: ReleaseRoom; asks: Asks },
  body: Parsed<Operations['startRollout']>['body'],
): Deciding<Result<Operations['startRollout']>> {
  const { service, kind, allowOutage, removeData, force, withConfig, withSecrets } = body
  const rollout = controller.newId().slice(0, 8)
  const runs = (): string | null => controller.state.services[service]?.current?.release ?? null
  let release: string | null = null
  let running: string | null = null
  let answered: Answered = {}
  const request = (): StartRollout => {
    release = body.release === null ? null : releases.resolve(service, body.release)
    running = runs()
    const withFormer = [...(withConfig ? ['config'] : []), ...(withSecrets ? ['secrets'] : [])]
    const asked = { allowOutage, removeData, force, withFormer }
    return { type: 'StartRollout', rollout, service, kind, release, ...asked, answered }
  }
  return {
    before: async () => {
      const meant = definitionToRun(controller.state, request())
      if (meant) answered = await askMachines(controller, asks, meant)
    },
    request,
    answer: (events) => {
      const started = events.find((event) => event.type === 'RolloutStarted')
      return {
        position: controller.state.position,
        // For a service that never ran, the release that `stop` or `remove` meant.
        release: started?.data.release ?? release ?? running ?? controller.releases.all(service).at(-1)?.release ?? '',
        previous: started ? started.data.previous : running,
        rollout: started ? (controller.history.get(rollout) ?? null) : null,
        warnings: started ? featureWarnings(controller.state, started.data, answered) : [],
      }
    },
  }
}
