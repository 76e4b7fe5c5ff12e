import { z } from 'zod'
import { id, machine, service, type Operation } from './operation.ts'

const argv = z
  .array(z.string().max(131_072))
  .min(1)
  .max(1_000)
  .describe('the program and its arguments; no shell interprets them')
const side = z.int().min(1).max(9_999)

export const accessOperations = {
  openAccess: {
    ...{
      method: 'POST',
      path: '/accesses',
      role: 'operator',
      summary:
        'prepare a program beside an instance, in a copy of its jail and environment; it runs once a caller connects to its byte channel, and ends with it',
    },
    body: z.object({
      service: service.nullable().default(null).describe('null: `instance` names an instance of any service'),
      instance: id.nullable().default(null).describe('its id, or the beginning of it; null: one of the service'),
      argv: argv.nullable().default(null).describe('null: a shell'),
      terminal: z
        .object({
          rows: side,
          columns: side,
          type: z
            .string()
            .regex(/^[\w.+-]{1,60}$/)
            .describe('as in TERM'),
        })
        .nullable()
        .default(null)
        .describe('null: the program gets pipes, with stdout and stderr apart; a shell needs a terminal'),
    }),
    response: z.object({
      channel: id.describe('GET /channels/{channel} with `Upgrade: tandem-channel`, within 30 s'),
      access: id,
      service,
      machine,
      instance: id,
    }),
  },
  openForward: {
    ...{
      method: 'POST',
      path: '/accesses/forwards',
      role: 'operator',
      summary: 'forward a port: prepare connections to a service or an instance, for as long as the byte channel lasts',
    },
    body: z.object({
      service: service.nullable().default(null).describe('null: `instance` names an instance of any service'),
      instance: id.nullable().default(null).describe('null: a ready instance, chosen for each connection'),
      port: z
        .int()
        .min(1)
        .max(65_535)
        .describe('a TCP port of the service, or 80 for http; otherwise a port that the instance itself opened'),
    }),
    response: z.object({ channel: id, access: id, service, instance: id.nullable() }),
  },
  openConnection: {
    ...{
      method: 'POST',
      path: '/accesses/:access/connections',
      role: 'operator',
      summary: 'prepare one connection of a forward; it begins once a caller connects to its byte channel',
    },
    params: z.object({ access: id }),
    body: z.object({}),
    response: z.object({ channel: id, machine, instance: id }),
  },
} as const satisfies Record<string, Operation>
