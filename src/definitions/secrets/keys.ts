import { omitted, optional } from '../shapes/group.ts'
import { distinct, list } from '../shapes/list.ts'
import { text } from '../shapes/text.ts'

const mostRecipients = 20
/** Bech32 with the prefix `age` (age-encryption.org/v1). */
const recipient = /^age1[02-9ac-hj-np-z]{58}$/

export const secretKeys = {
  recovery: omitted(
    optional(
      distinct(
        list(text({ expects: 'a public key of age, such as age1…, which `age-keygen` prints', pattern: recipient }), {
          what: 'public keys of age',
          least: 1,
          most: mostRecipients,
        }),
      ),
      'Who can open a backup of the secrets: public keys of age. Without one, no secret is stored.',
      ['recipients'],
    ),
  ),
}
