export { IdsModule } from './ids.module.js';
