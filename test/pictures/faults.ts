import { setTimeout as pause } from 'node:timers/promises'
import type { OnCallStage } from './onCallStage.ts'
import { brokenPayments, filesOf } from './shopServices.ts'

/** A fault that people on call meet. */
export interface Fault {
  name: string
  /** The cause, in a sentence. */
  truth: string
  cause: (stage: OnCallStage) => Promise<void>
  /** Texts of the overview that tell it. */
  shows: readonly RegExp[]
  /** How much of the overview tells it, in pixels. */
  height: number
  /** Does as a person on call would; resolves when all is well again, as far as commands can tell. */
  repair: (stage: OnCallStage) => Promise<void>
}

const forgotten = '/var/lib/backup/orders-export.sql'

const must = async (stage: OnCallStage, ...args: string[]): Promise<void> => {
  const { code, err } = await stage.engineer.run(...args)
  if (code !== 0) throw new Error(`tandem ${args.join(' ')}: ${err}`)
}

/** Each can be caused and repaired on the same pair, in this order. */
export const faults: readonly Fault[] = [
  {
    name: 'bad-release',
    truth: 'The newest release of payments (by tom) answers most requests with 500; its health check is good.',
    cause: async ({ engineer }) => {
      await engineer.push('tom', 'payments', filesOf(brokenPayments()), 'Charge in the currency of the customer')
    },
    shows: [/answers about [3-9]0 %.* with errors/],
    height: 620,
    repair: (stage) => must(stage, 'rollback', 'payments'),
  },
  {
    name: 'full-disk',
    truth: `/var/lib of machine b is full (an export, ${forgotten}): uploads there cannot store files.`,
    cause: async (stage) => {
      const fill = `mkdir -p ${forgotten.replace(/\/[^/]*$/, '')}; head -c 2G /dev/zero >${forgotten} || true`
      await stage.machine('b').must(['sh', '-c', fill])
    },
    shows: [/its disk is full/, /answers about [3-9]0 %.* on b with errors/],
    height: 620,
    repair: async (stage) => void (await stage.machine('b').must(['rm', forgotten])),
  },
  {
    name: 'machine-gone',
    truth: 'Machine b lost its power.',
    cause: (stage) => stage.machine('b').kill(),
    shows: [/is lost/],
    height: 600,
    repair: async (stage) => {
      await stage.machine('b').boot()
      await stage.pair.until('ready')
    },
  },
  {
    name: 'waits-for-another',
    truth: 'orders waits for stock, which tom stopped.',
    cause: (stage) => must(stage, 'stop', 'stock', '--context', 'tom'),
    shows: [/has no ready instance/, /was stopped/],
    height: 620,
    repair: (stage) => must(stage, 'start', 'stock'),
  },
  {
    name: 'address-moved',
    truth:
      'HAProxy on the machine that held the virtual address was killed, so the address moved to the other machine.',
    cause: async (stage) => {
      const before = await stage.holder()
      if (before === null) throw new Error('no machine holds the virtual address')
      await stage.machine(before).must(['systemctl', 'kill', '-s', 'KILL', 'tandem-haproxy'])
      while ([before, null].includes(await stage.holder())) await pause(200)
    },
    shows: [/, moved from/, /moved from . to ./],
    height: 440,
    repair: () => Promise.resolve(), // systemd has started HAProxy again
  },
]
