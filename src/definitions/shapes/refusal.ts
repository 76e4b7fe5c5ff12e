/** Why a scalar is invalid, and the probable intention. */
export interface Refusal {
  refused: string
  suggestion?: string | null
}

export const refuse = (refused: string, suggestion: string | null = null): Refusal => ({ refused, suggestion })
