/** Why a scalar is not what it should be, and what was probably meant. */
export interface Refusal {
  refused: string
  suggestion?: string | null
}

export const refuse = (refused: string, suggestion: string | null = null): Refusal => ({ refused, suggestion })
