import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** A row of `books`. Ids rise and are never given twice, also not after a delete. */
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

  @Column('integer')
  quantity!: number;

  /** Checksum of the fields; null where somebody else has written the row. */
  @Column('integer', { nullable: true })
  seal!: number | null;
}
