import { Module } from '@nestjs/common';
import { ShopGate } from './shop-gate.js';

/** One gate for all modules of an app that import this one. */
@Module({ providers: [ShopGate], exports: [ShopGate] })
export class ShopSetsModule {}
