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
} as const satisfies Record<string, Operation>
