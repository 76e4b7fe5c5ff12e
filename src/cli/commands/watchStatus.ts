import { statusIn, type Overview } from '../../api/overview.ts'
import { every, systemClock } from '../../lib/clock.ts'
import { followOverview } from '../follow/followOverview.ts'
import { renderOverview } from '../render/overview.ts'
import type { Screen } from '../screen.ts'
import type { Session } from '../session.ts'
import { noSuchService } from '../noSuchService.ts'

/** Redraws the ages that stand on the screen. */
const redrawMs = 1_000

/**
 * Shows the overview live: on a terminal as a screen, elsewhere again whenever something but the ages has changed, with
 * --json at each change.
 */
export async function watchStatus(session: Session, service: string | null): Promise<number> {
  const { out, signal } = session
  const client = await session.client()
  const view = new View(session, service)
  const stopRedraw = every(systemClock, redrawMs, () => view.draw())
  try {
    for await (const overview of followOverview(client, {
      signal,
      onLost: () => view.lost(),
      onBack: () => view.back(),
    })) {
      view.update(overview)
      await out.room()
    }
  } finally {
    stopRedraw()
    view.close()
  }
  return session.interrupts.exitCode()
}

class View {
  readonly #session: Session
  readonly #service: string | null
  #overview: Overview | null = null
  #asOf = 0
  #isLost = false
  #screen: Screen | null = null
  #shown = ''
  #forgetStops = (): void => {}

  constructor(session: Session, service: string | null) {
    this.#session = session
    this.#service = service
  }

  update(overview: Overview): void {
    if (this.#service !== null && this.#overview === null) refuseUnknown(this.#service, overview)
    this.#overview = overview
    this.#asOf = Date.now()
    const { out } = this.#session
    const { wrong, changes, certificates, checkups, store } = overview
    out.object({ ...statusIn(overview), wrong, changes, certificates, checkups, store })
    if (out.json) return
    this.#screen ??= this.#takeScreen()
    if (this.#screen) this.draw()
    else this.#print(overview)
  }

  #takeScreen(): Screen | null {
    const { out, host } = this.#session
    const screen = out.screen()
    if (screen === null) return null
    const back = (): void => {
      screen.enter()
      this.draw()
    }
    this.#forgetStops = host.aroundStops(() => screen.leave(), back)
    return screen
  }

  lost(): void {
    this.#isLost = true
    if (this.#screen) this.draw()
    else this.#session.out.note('lost contact with the controller; retrying')
  }

  back(): void {
    this.#isLost = false
    this.#asOf = Date.now()
  }

  draw(): void {
    if (this.#screen === null || this.#overview === null) return
    const { out } = this.#session
    // While the controller does not answer, the ages stand still: nobody knows whether anything goes on.
    const now = this.#isLost ? this.#asOf : Date.now()
    const clock = `${new Date(now).toISOString().slice(11, 19)}Z`
    const head = this.#isLost
      ? out.paint('yellow', `not live: as of ${clock}; the controller does not answer; retrying`)
      : out.paint('dim', `live ${clock}; Ctrl-C ends`)
    const body = renderOverview(this.#overview, { now, paint: out.paint, service: this.#service })
    this.#screen.draw(out.shown(`${head}\n${body}`).split('\n'))
  }

  close(): void {
    this.#forgetStops()
    this.#screen?.leave()
  }

  /** The ages change at every message, so they do not count. */
  #print(overview: Overview): void {
    const { wrong, changes, services } = overview
    const states = services.map(({ service, state, release, instances, rollout }) => [
      ...[service, state, release, rollout?.machines.map((one) => [one.state, one.phases.length])],
      instances.map((instance) => [instance.id, instance.state, instance.stale]),
    ])
    const text = JSON.stringify([wrong, changes[0]?.position, states, overview.machines.map(({ state }) => state)])
    if (text === this.#shown) return
    this.#shown = text
    const { out } = this.#session
    out.line(`${renderOverview(overview, { now: this.#asOf, paint: out.paint, service: this.#service })}\n`)
  }
}

function refuseUnknown(service: string, { services }: Overview): void {
  const names = services.map((one) => one.service)
  if (!names.includes(service)) throw noSuchService(service, names)
}
