import { existsSync } from 'node:fs'
import type { OwnConfiguration } from '../doctor/machineFacts.ts'
import { keepalivedFiles } from '../drivers/address/keepalived/keepalivedFiles.ts'
import { keepalivedUnit } from '../layout/addresses.ts'
import { privilegedFolder } from '../layout/dataFolder.ts'
import { checkedConfiguration } from './configurations.ts'

/** State of keepalived's file, and keepalived's check of the file. The file is the helper's where there is a helper. */
export function keepalivedState(data: string): Promise<OwnConfiguration> {
  const helper = privilegedFolder(data)
  const { config: path } = keepalivedFiles(existsSync(helper) ? helper : data)
  const check = ['keepalived', '--config-test', '--use-file', path]
  return checkedConfiguration({ path, unit: keepalivedUnit }, check)
}
