import type { Status } from '../../api/views.ts'

/** The URLs of a service: each of its routes on the first machine that takes requests. */
export function urlsOf({ machines, services }: Status, name: string): string[] {
  const service = services.find((one) => one.service === name)
  const serving = machines.find(
    (machine) =>
      machine.state === 'ready' &&
      service?.instances.some((instance) => instance.machine === machine.name && instance.state === 'ready'),
  )
  if (!service || !serving) return []
  return service.routes.map((route) => {
    const own = service.access?.find((one) => one.route === route && one.address !== null)
    if (own)
      return `${own.carries === 'http' ? 'http://' : ''}${own.address}:${own.port}${own.carries === 'http' ? '/' : ''}`
    if (route.startsWith(':')) return `${serving.host}${route}`
    const slash = route.indexOf('/')
    const host = route.slice(0, slash)
    const port = serving.httpPort === 80 ? '' : `:${serving.httpPort}`
    return `http://${host === '*' ? serving.host : host}${port}${route.slice(slash)}`
  })
}
