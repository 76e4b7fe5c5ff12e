import type { Definition } from '../definition.ts'
import type { YamlSource } from '../yamlSource.ts'

/**
 * Programs that keep data of their own unless their arguments join them to others. A rule by the use of TANDEM_DATA would
 * also warn about caches and about programs that replicate; an unknown program is left alone.
 */
const stores = new Set([
  ...['postgres', 'mysqld', 'mariadbd', 'mongod', 'redis-server', 'valkey-server', 'influxd', 'clickhouse-server'],
  ...['rabbitmq-server', 'mosquitto', 'beanstalkd', 'gearmand', 'activemq', 'nats-server'],
])
/** Words of the arguments or variables of such programs that join them to others. */
const joined = /cluster|replica|replset|slaveof|--?join|--?routes|primary_conninfo|standby|wsrep|galera/i

/** Two brokers behind one port are two brokers: a client finds on one what it left on the other only by chance. */
export function warnAboutStores(definition: Definition, source: YamlSource): void {
  const { listen, run, env, machines, instances, environments } = definition
  const program = run.map((word) => word.split('/').at(-1) ?? '').find((word) => stores.has(word))
  if (listen !== 'tcp' || program === undefined) return
  if ([...run, ...Object.keys(env), ...Object.values(env)].some((word) => joined.test(word))) return
  const overlays = Object.values(environments)
  const isPinned = overlays.length > 0 && overlays.every((overlay) => overlay.machines?.length === 1)
  const runsTwice = instances > 1 || ((machines === null || machines.length > 1) && !isPinned)
  if (!runsTwice) return
  const where = instances > 1 ? 'in several instances' : machines === null ? 'on all machines' : 'on several machines'
  const message = `${program} runs ${where} behind one port, each with data of its own: a client reaches one or the other. Name one machine in \`machines\`, or join them by the program's own means`
  source.warn([instances > 1 ? 'instances' : machines === null ? 'run' : 'machines'], message)
}
