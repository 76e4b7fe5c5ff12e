import { z } from 'zod'
import { machine, releasePrefix, service, type Operation } from './operation.ts'

export const filesOperations = {
  renderFiles: {
    ...{
      method: 'GET',
      path: '/services/:service/files',
      role: 'operator',
      summary: 'the files of a service as a machine fills them in, with secrets masked',
    },
    params: z.object({ service }),
    query: z.object({
      machine: machine.optional().describe('left out: the first machine that runs the service'),
      release: releasePrefix
        .optional()
        .describe('with the configuration that a rollout would take now; left out: everything as the service runs'),
    }),
    response: z.object({
      service: z.string(),
      machine: z.string(),
      release: z.string(),
      generation: z.string().nullable().describe('null: as a rollout would have them now'),
      files: z.array(
        z.object({
          path: z.string().describe('below $TANDEM_FILES'),
          template: z.string().describe('a file of the release'),
          text: z.string(),
        }),
      ),
    }),
  },
} as const satisfies Record<string, Operation>
