import { z } from 'zod'
import type { AddressHost } from '../../drivers/address/keepalived/addressHost.ts'
import { guardCommand } from '../../drivers/address/keepalived/guardCommand.ts'
import { keepalivedFiles } from '../../drivers/address/keepalived/keepalivedFiles.ts'
import { systemdAddressHost } from '../../drivers/address/keepalived/systemdAddressHost.ts'
import { addressScriptsFolder } from '../../layout/addresses.ts'
import { noArguments, operation, type Operations } from '../operation.ts'
import type { HelperContext } from '../helperContext.ts'
import type { KnownMachine } from '../rootFolder.ts'
import { runAddressScript } from './addressScript.ts'
import { checkAddresses, keepalivedShape } from './addressShape.ts'

export interface AddressParts {
  addresses: AddressHost
  addressScript: (known: KnownMachine, script: 'take' | 'release', addresses: readonly string[]) => Promise<void>
}

export const openAddresses = ({ data, folder, unprivileged }: HelperContext): AddressParts => ({
  addresses: systemdAddressHost({
    files: keepalivedFiles(folder.path),
    guardCommand: guardCommand(folder.path),
    unprivileged,
    former: keepalivedFiles(data),
  }),
  addressScript: (known, script, addresses) => runAddressScript(addressScriptsFolder, known, script, addresses),
})

const scriptArguments = z.strictObject({
  script: z.enum(['take', 'release']),
  addresses: z.array(z.string().max(100)).max(100),
})

export function addressOperations({
  addresses,
  addressScript,
  folder,
}: AddressParts & Pick<HelperContext, 'folder'>): Operations {
  return {
    'addresses.install': operation(
      keepalivedShape,
      async ({ settings, haproxy: socket }) => {
        checkAddresses(settings, folder.readMachine())
        await addresses.install(settings, socket)
      },
      'addresses',
    ),
    'addresses.remove': operation(noArguments, () => addresses.remove(), 'addresses'),
    'addresses.script': operation(
      scriptArguments,
      async ({ script, addresses: virtual }) => {
        const known = folder.readMachine()
        const foreign = virtual.find((one) => !known.addresses.includes(one))
        if (foreign !== undefined) throw new Error(`${foreign} is not an address of the cluster file`)
        await addressScript(known, script, virtual)
      },
      'address script',
    ),
  }
}
