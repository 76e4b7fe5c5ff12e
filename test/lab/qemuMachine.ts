import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { baseImage } from './baseImage.ts'
import type { Outcome } from '../../src/lib/exec.ts'
import { exclusive } from './exclusive.ts'
import { labFolder } from './lab.ts'
import { labsFolder, lockFile, removeAbandonedLabs, removeLab } from './leftovers.ts'
import { nodeBinary } from './program.ts'
import { qemuKernel, type QemuKernel } from './qemuKernel.ts'
import { openQemuShell, type QemuShell } from './qemuShell.ts'
import { sharer } from './requirements.ts'

/** A folder of this computer that the machine sees, read-only. */
interface Share {
  tag: string
  from: string
  to: string
}

/**
 * One machine with its own kernel, for tests that the lab's other machines cannot run because they share this
 * computer's kernel: this machine has all of cgroup v2. It has no acceleration, so everything, including the boot,
 * takes about ten times as long.
 */
export interface QemuMachine {
  run(script: string, options?: { timeoutMs?: number }): Promise<Outcome>
  /** Like `run`, but rejects with the output of the command if it fails. Resolves with the output. */
  must(script: string, options?: { timeoutMs?: number }): Promise<string>
  console(): string
  readonly bootedMs: number
  /** Cuts the power and removes the machine. */
  close(): Promise<void>
}

/** Units that a boot does not need; each takes seconds here. */
const masked = [
  ...[
    'dev-hugepages.mount',
    'dev-mqueue.mount',
    'sys-kernel-debug.mount',
    'sys-kernel-tracing.mount',
    'systemd-logind.service',
  ],
  ...[
    'systemd-random-seed.service',
    'systemd-update-utmp.service',
    'kmod-static-nodes.service',
    'systemd-pstore.service',
  ],
  ...[
    'modprobe@configfs.service',
    'modprobe@dm_mod.service',
    'modprobe@drm.service',
    'modprobe@efi_pstore.service',
    'modprobe@loop.service',
  ],
]
const memoryMiB = 1536
/** A boot takes 8 s alone, and ten times that beside other labs. */
const bootMs = 120_000
/** An emulated kernel may hang before its first output: seen once in 30 boots. */
const mostBoots = 3
const socketMs = 10_000
const lookMs = 20
const commandMs = 60_000

export async function bootQemuMachine(more: Share[]): Promise<QemuMachine> {
  await removeAbandonedLabs(labFolder)
  const [image, kernel] = [await baseImage(labFolder), await qemuKernel(labFolder)]
  for (let boots = 1; ; boots++) {
    try {
      return await boot(image, kernel, more)
    } catch (error) {
      if (boots === mostBoots) throw error
    }
  }
}

async function boot(image: string, kernel: QemuKernel, more: Share[]): Promise<QemuMachine> {
  const folder = join(labsFolder(labFolder), randomBytes(3).toString('hex'))
  await using opened = new AsyncDisposableStack()
  mkdirSync(folder, { recursive: true })
  const lock = await exclusive(lockFile(folder), 0)
  if (!lock) throw new Error(`another run holds ${folder}`)
  opened.defer(() => lock.release())
  opened.defer(() => removeLab(folder))

  const shares = [
    { tag: 'modules', from: kernel.modules, to: '/usr/lib/modules' },
    { tag: 'node', from: dirname(nodeBinary()), to: '/usr/lib/tandem' },
    ...more,
  ]
  for (const { tag, from } of [{ tag: 'base', from: image }, ...shares]) {
    const child = spawnBound(folder, tag, [sharer(), ...sharerOptions(join(folder, `${tag}.socket`), from)])
    opened.defer(() => ended(child))
    await present(join(folder, `${tag}.socket`), child)
  }
  const begun = performance.now()
  const qemu = spawnBound(folder, 'console', ['qemu-system-x86_64', ...qemuOptions(folder, kernel, shares)])
  opened.defer(() => ended(qemu))
  await present(join(folder, 'port.socket'), qemu)
  const port = connect(join(folder, 'port.socket'))
  opened.defer(() => void port.destroy())
  const console = (): string => readFileSync(join(folder, 'console'), 'utf8')
  const shell = await booted(port, console)
  const bootedMs = Math.round(performance.now() - begun)
  const running = opened.move()
  const run: QemuMachine['run'] = (script, { timeoutMs = commandMs } = {}) => shell.run(script, timeoutMs)
  return {
    ...{ run, console, bootedMs },
    must: async (script, options) => {
      const { code, out, err } = await run(script, options)
      if (code !== 0) throw new Error(`${script}\nexited with ${code}: ${err || out}`)
      return out
    },
    close: () => running.disposeAsync(),
  }
}

async function booted(port: Socket, console: () => string): Promise<QemuShell> {
  const patience = setTimeout(() => port.destroy(), bootMs)
  try {
    return await openQemuShell(port)
  } catch (error) {
    throw new Error(`the machine did not boot within ${bootMs} ms: ${console()}`, { cause: error })
  } finally {
    clearTimeout(patience)
  }
}

const sharerOptions = (socket: string, from: string): string[] => [
  `--socket-path=${socket}`,
  ...['-o', `source=${from}`, '-o', 'cache=always'],
]

function qemuOptions(
  folder: string,
  { kernel, initrd }: { kernel: string; initrd: string },
  shares: Share[],
): string[] {
  const words = [
    ...['console=ttyS0', 'earlyprintk=serial', 'panic=1', 'mitigations=off', 'systemd.show_status=0'],
    ...[
      'systemd.mask=serial-getty@ttyS0.service',
      'systemd.mask=getty.target',
      ...masked.map((unit) => `systemd.mask=${unit}`),
    ],
    ...shares.map(({ tag, to }) => `share=${tag}:${to}`),
  ]
  const devices = ['base', ...shares.map(({ tag }) => tag)].flatMap((tag) => [
    ...['-chardev', `socket,id=${tag},path=${join(folder, `${tag}.socket`)}`],
    ...['-device', `vhost-user-fs-pci,chardev=${tag},tag=${tag}`],
  ])
  return [
    ...['-machine', 'pc,memory-backend=memory', '-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', '2'],
    ...['-m', `${memoryMiB}`, '-object', `memory-backend-memfd,id=memory,size=${memoryMiB}M,share=on`],
    ...['-nodefaults', '-no-reboot', '-display', 'none', '-serial', 'stdio'],
    ...['-kernel', kernel, '-initrd', initrd, '-append', words.join(' ')],
    ...['-chardev', `socket,id=port,path=${join(folder, 'port.socket')},server=on,wait=off`],
    ...['-device', 'virtio-serial-pci', '-device', 'virtserialport,chardev=port,name=lab', ...devices],
  ]
}

/** Starts a process that dies with this one, also after a crash. Its output is in the folder, under `name`. */
function spawnBound(folder: string, name: string, argv: string[]): ChildProcess {
  const said = openSync(join(folder, name), 'a')
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...argv], {
    stdio: ['ignore', said, said],
    detached: true,
  })
  closeSync(said)
  return child
}

/** Waits until the process has created its socket. */
async function present(socket: string, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + socketMs
  while (!existsSync(socket)) {
    const isGone = child.exitCode !== null || child.signalCode !== null
    if (isGone || performance.now() > deadline)
      throw new Error(
        `${child.spawnargs.join(' ')} did not create its socket: ${isGone ? 'it exited' : `${socketMs} ms have passed`}`,
      )
    await pause(lookMs)
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}
