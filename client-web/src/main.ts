import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from '@/ui/App.vue'
import { i18n } from '@/ui/i18n'
import '@/ui/design/tokens.css'
import '@/ui/design/base.css'

createApp(App).use(createPinia()).use(i18n).mount('#app')
