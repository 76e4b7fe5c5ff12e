import { z } from 'zod'
import { longestSetting, settingTypes } from '../definitions/config/settings.ts'
import { environmentNamePattern } from '../definitions/names.ts'
import { position, service, time, type Operation } from './operation.ts'

const params = z.object({ service })
const settingName = z.string().regex(environmentNamePattern, 'the name of a setting: letters, digits and _')
const values = z.record(settingName, z.string().max(longestSetting))
const version = z.int().min(1)
const reason = z.string().trim().min(1).max(500).nullable().default(null).describe('why, for the event log')

const versionSchema = z.object({
  version,
  values,
  at: time,
  by: z.string().nullable().describe('name of the token that changed them; null: not recorded'),
  reason: z.string().nullable(),
  of: version.nullable().describe('the earlier version that has the same values'),
})

const settingSchema = z.object({
  name: z.string(),
  type: z.enum(settingTypes),
  default: z.string().nullable(),
  required: z.boolean(),
  known: z.boolean().describe('false: it is set, but the release does not have it'),
  set: z.string().nullable().describe('null: nobody has set it'),
  runs: z.string().nullable().describe('the value with which the service runs; null: none'),
})

const changed = z.object({
  position,
  version: version.nullable().describe('the newest version; null: nothing was ever set'),
  changed: z.boolean().describe('false: it has these values already'),
})

export type ConfigVersionView = z.infer<typeof versionSchema>
export type SettingView = z.infer<typeof settingSchema>

export const configOperations = {
  serviceConfig: {
    ...{ method: 'GET', path: '/services/:service/config', role: 'reader', summary: 'the settings of a service' },
    params,
    response: z.object({
      service: z.string(),
      settings: z.array(settingSchema),
      newest: version.nullable().describe('null: nothing was ever set'),
      runs: version.nullable().describe('the version with which the service runs; null: with defaults, or not at all'),
      running: z.boolean().default(true).describe('false: it is stopped, or never ran'),
      rejected: version.nullable().describe('the version with which a rollout was reverted; null: none'),
      versions: z.array(versionSchema).describe('the newest first'),
    }),
  },
  changeConfig: {
    dryRun: true,
    ...{ method: 'POST', path: '/services/:service/config', role: 'operator', summary: 'change settings of a service' },
    params,
    body: z.object({
      set: values.default({}),
      unset: z.array(settingName).max(200).default([]).describe('these get their default again'),
      reason,
      cas: z
        .int()
        .min(0)
        .nullable()
        .default(null)
        .describe('refuse unless this version is the newest; 0: unless there is none'),
    }),
    response: changed,
  },
  rollbackConfig: {
    dryRun: true,
    ...{
      method: 'POST',
      path: '/services/:service/config/rollback',
      role: 'operator',
      summary: 'give a service the settings of an earlier version again',
    },
    params,
    body: z.object({ version: version.nullable().default(null).describe('null: the one before the newest'), reason }),
    response: changed,
  },
} as const satisfies Record<string, Operation>
