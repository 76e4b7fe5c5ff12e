// Every TCP port of this machine, of each service's address, and of the other machines.
import { env } from 'node:process'
import { listeners, metadata, neighbours, ownAddresses, routes, used } from './machine.mjs'
import { scan, tryConnect } from './scan.mjs'

/** @typedef {import('./report.mjs').Finding} Finding */

const controllerPort = 7480
const machinePort = 7481
/** @type {Record<number, [Finding['verdict'], string]>} */
const ofTandem = {
  80: ['expected', 'the public entry'],
  443: ['expected', 'the public entry'],
  [controllerPort]: ['documented', 'the controller, which wants a token'],
  [machinePort]: ['documented', 'the way between machines, which wants a certificate'],
  7482: ['documented', "the agent's numbers"],
}
const isInstance = (/** @type {number} */ port) => port >= 20_000 && port < 21_000

/**
 * @param {string} host
 * @param {number} port
 * @returns {Finding}
 */
function reached(host, port) {
  const what = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  const [verdict, note] = judged(what, routes().get(host), port)
  return { verdict, what, note }
}

/**
 * @param {string} place
 * @param {string | undefined} service whose address that is
 * @param {number} port
 * @returns {[Finding['verdict'], string]}
 */
function judged(place, service, port) {
  const variable = used().get(place)
  const isRoute = service !== undefined && listeners().has(place)
  if (place === `${env.HOST}:${env.PORT}` || (isRoute && service === env.TANDEM_SERVICE)) return ['expected', 'itself']
  if (variable !== undefined) return ['expected', `in its uses: ${variable}_HOST, ${variable}_PORT`]
  if (isRoute) return ['UNEXPECTED', `the service ${service}`]
  if (isInstance(port)) return ['UNEXPECTED', 'an instance of another service']
  return ofTandem[port] ?? ['documented', 'a public route, or a program that Tandem does not run']
}

/**
 * @param {string} host
 * @returns {AsyncGenerator<Finding>}
 */
async function* everyPort(host) {
  const { open, others } = await scan(host)
  for (const port of open) yield reached(host, port)
  for (const [outcome, count] of Object.entries(others))
    yield { verdict: 'refused', what: `${host}, ${count} ports`, note: outcome }
}

/** @returns {AsyncGenerator<Finding>} */
export async function* ports() {
  for (const host of ['127.0.0.1', '::1', ...ownAddresses(), ...routes().keys()]) yield* everyPort(host)
  for (const host of neighbours()) {
    if ((await tryConnect({ host, port: machinePort })) === 'connected') yield* everyPort(host)
    else if ((await tryConnect({ host, port: controllerPort })) === 'connected') yield reached(host, controllerPort)
  }
  const outcome = await tryConnect({ host: metadata, port: 80 })
  const isOpen = outcome === 'connected'
  const note = isOpen ? 'the metadata of a cloud, with the rights of the machine' : outcome
  yield { verdict: isOpen ? 'UNEXPECTED' : 'refused', what: `${metadata}:80`, note }
}
