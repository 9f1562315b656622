import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** Ids rise and are never given twice, not even after a delete. */
@Entity('books')
export class BookEntity {
  @PrimaryGeneratedColumn('increment', { type: 'integer' })
  id!: number;

  @Column('text')
  title!: string;

  @Column('text')
  author!: string;

  @Column('integer', { name: 'price_cents' })
  priceCents!: number;

  /** The checksum of the fields; null when another program wrote the row. */
  @Column('integer', { nullable: true })
  seal!: number | null;
}
