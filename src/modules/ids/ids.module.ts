import { Module } from '@nestjs/common';
import { IdsController } from './adapters/http/ids.controller.js';

@Module({ controllers: [IdsController] })
export class IdsModule {}
