import { change, type Words } from '../decision/words.ts'
import type { AccessEvents } from '../events/accessEvents.ts'

type Ended = AccessEvents['AccessEnded']

const names = { shell: 'a shell', exec: 'a command', forward: 'a forwarded port' } as const

export const accessWords: Words<AccessEvents> = {
  AccessStarted: ({ kind, service, instance, machine, command, port }) => {
    const about = command !== null ? `: ${command}` : port !== null ? `: port ${port}` : ''
    return change('note', instance ?? service, `has ${names[kind]} open${about}`, { service, machine, instance })
  },
  AccessEnded: (ended) => {
    const { kind, service, instance, machine } = ended
    const text = `has ${names[kind]} open no more, after ${seconds(ended.lastedMs)}: ${endOf(ended)}`
    return change('note', instance ?? service, text, { service, machine, instance })
  },
}

function endOf({ how, code, signal, reason }: Ended): string {
  switch (how) {
    case 'exited':
      return signal === null ? `exit status ${code ?? 'unknown'}` : `ended by ${signal}`
    case 'left':
      return 'the person left'
    case 'stopped':
    case 'failed':
    case 'lost':
      return reason
  }
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`
