export { answerHashTask } from './answer-hash-task.js';
