/** The board is large: it comes when help is near, not with the page. */
import { defineAsyncComponent } from 'vue'

export const loadHelpBoard = (): Promise<typeof import('../board/HelpSession.vue')> => import('../board/HelpSession.vue')
export const HelpBoard = defineAsyncComponent(loadHelpBoard)
