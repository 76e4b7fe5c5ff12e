import { certificatesFolder } from '../../layout/folders.ts'
import { sharedCertificates } from '../../layout/dataFolder.ts'
import { haproxyUser } from '../../layout/users.ts'
import { noArguments, operation, type Operations } from '../operation.ts'
import type { HelperContext } from '../helperContext.ts'
import { copyPublicCertificates } from './certificates.ts'
import { startHaproxy } from './ownHaproxy.ts'

export interface HaproxyParts {
  haproxy: { start: () => Promise<void>; copyCertificates: () => Promise<void> }
}

export const openHaproxy = ({ data }: HelperContext): HaproxyParts => ({
  haproxy: {
    start: () => startHaproxy(data),
    copyCertificates: () => copyPublicCertificates(certificatesFolder, sharedCertificates(data), haproxyUser),
  },
})

export const haproxyOperations = ({ haproxy }: HaproxyParts): Operations => ({
  'haproxy.start': operation(noArguments, () => haproxy.start(), 'haproxy'),
  'haproxy.certificates': operation(noArguments, () => haproxy.copyCertificates(), 'haproxy'),
})
