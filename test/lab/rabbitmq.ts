import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { exec, execOrThrow } from '../../src/lib/exec.ts'
import { exclusive } from './exclusive.ts'
import { labFolder } from './lab.ts'
import type { LabMachine } from './labMachine.ts'

const erlang =
  'base asn1 crypto eldap ftp inets mnesia os-mon parsetools public-key runtime-tools snmp ssl syntax-tools tftp tools xmerl'
const packages = ['rabbitmq-server', ...erlang.split(' ').map((name) => `erlang-${name}`)]
const downloadMs = 300_000

/**
 * A script in the release, beside the definition. The broker's files are in `TANDEM_DATA`, and all its ports on
 * loopback.
 */
export const brokerScript = `export HOME="$TANDEM_DATA" PATH="/usr/lib/erlang/bin:$PATH"
export ERL_EPMD_PORT=9734 ERL_EPMD_ADDRESS=127.0.0.1 RABBITMQ_NODENAME=lab@localhost RABBITMQ_DIST_PORT=9742
export RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_NODE_PORT="$PORT" RABBITMQ_MNESIA_BASE="$TANDEM_DATA"
export RABBITMQ_LOG_BASE="$TANDEM_DATA" RABBITMQ_LOGS=- RABBITMQ_PID_FILE="$TANDEM_DATA/pid"
export RABBITMQ_CONFIG_FILE="$TANDEM_DATA/rabbitmq.conf" RABBITMQ_ENABLED_PLUGINS_FILE="$TANDEM_DATA/plugins"
export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+S 2:2 -kernel inet_dist_use_interface {127,0,0,1}"
exec /usr/lib/rabbitmq/bin/rabbitmq-server
`

/**
 * Copies Debian's RabbitMQ to the machine. The packages are unpacked here and not installed, so no broker starts on
 * this computer. Resolves with a reason if the packages cannot be downloaded.
 */
export async function installRabbitmq(machine: LabMachine): Promise<string | null> {
  const tree = join(labFolder, 'rabbitmq')
  const why = await unpacked(tree)
  if (why) return why
  const [file = '', ...enter] = machine.entering(['tar', '-x', '-C', '/'])
  await execOrThrow([
    'bash',
    '-c',
    'set -o pipefail; tar -c -C "$0" usr/lib/erlang usr/lib/rabbitmq | "$@"',
    tree,
    file,
    ...enter,
  ])
  return null
}

async function unpacked(tree: string): Promise<string | null> {
  mkdirSync(labFolder, { recursive: true })
  const lock = await exclusive(`${tree}.lock`, downloadMs)
  if (!lock) throw new Error(`another download of ${tree} has not ended within ${downloadMs} ms`)
  const partial = `${tree}.partial`
  try {
    if (existsSync(tree)) return null
    rmSync(partial, { recursive: true, force: true })
    const debs = join(partial, 'debs')
    mkdirSync(debs, { recursive: true })
    // The broker writes into its own folder, and has no option to change that.
    const download = ['sh', '-c', 'cd "$0" && apt-get -qq download "$@"', debs, ...packages]
    const { code, err } = await exec(download, { timeoutMs: downloadMs })
    if (code !== 0) return `Debian's RabbitMQ cannot be downloaded: ${err}`
    for (const deb of readdirSync(debs)) await execOrThrow(['dpkg', '-x', join(debs, deb), partial])
    rmSync(debs, { recursive: true })
    renameSync(partial, tree)
    return null
  } finally {
    await lock.release()
  }
}
