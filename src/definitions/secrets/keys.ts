import { group, omitted, optional, required } from '../shapes/group.ts'
import { distinct, list } from '../shapes/list.ts'
import { number } from '../shapes/number.ts'
import { wordOr } from '../shapes/wordOr.ts'
import { text } from '../shapes/text.ts'
import { recipientPattern } from './paths.ts'
import { referencesShape } from './referenceShape.ts'

const mostRecipients = 20

/** Limits of the library that makes shares. */
const many = number({ whole: true, least: 2, most: 255, what: 'a number of shares' })

export const secretKeys = {
  seal: omitted(
    optional(
      wordOr(
        'host',
        group('`seal`', {
          shares: required(many, 'Number of shares of the root key; each has a holder.'),
          threshold: required(many, 'So many of them open it.'),
        }),
      ),
      '`{ shares: 5, threshold: 3 }`: the root key of the secrets exists only in shares, which people enter after each start of the controller. `host`, or left out: it is sealed with the key of the machine, and a controller that restarts at night needs nobody.',
    ),
  ),
  recovery: omitted(
    optional(
      distinct(
        list(
          text({ expects: 'a public key of age, such as age1…, which `age-keygen` prints', pattern: recipientPattern }),
          {
            what: 'public keys of age',
            least: 1,
            most: mostRecipients,
          },
        ),
      ),
      'Who can open a backup of the secrets: public keys of age. Without one, no secret is stored.',
      ['recipients'],
    ),
  ),
}

export const secretDefinitionKeys = {
  secrets: omitted(
    optional(
      referencesShape,
      'Secrets of the service, each a file in $CREDENTIALS_DIRECTORY, or with `as: env` a variable. `tandem secrets put` stores the values. Left out: none.',
      ['credentials', 'secret', 'vault'],
    ),
  ),
}
