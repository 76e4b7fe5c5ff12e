import { z } from 'zod'
import type { FilesHost } from '../../drivers/files/filesHost.ts'
import { renderAnswerSchema } from '../../templates/request.ts'
import { longMs, noAnswer } from '../operation.ts'
import type { CallPrivileged } from '../privilegedClient.ts'

/** The privileged helper fills in the files of services: the agent may read neither their secrets nor them. */
export const remoteFiles = (call: CallPrivileged): FilesHost => ({
  fillIn: async ({ service, generation, order }) => {
    if (order === null) throw new Error(`the controller has not signed the files of ${service}: it is older`)
    const problem = await call('files.fill', { service, generation, order }, z.string().nullable(), longMs)
    return problem === null ? { isKept: true } : { problem }
  },
  keepOnly: async (generations) => void (await call('files.keepOnly', { generations }, noAnswer)),
  show: ({ service, release, request: { files, variables, secrets } }) =>
    call('files.show', { service, release, files, variables, secrets }, renderAnswerSchema, longMs),
})
