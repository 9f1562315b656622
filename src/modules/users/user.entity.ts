import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** Ids rise and are never given twice. */
@Entity('users')
export class UserEntity {
  @PrimaryGeneratedColumn('increment', { type: 'integer' })
  id!: number;

  @Column('text')
  firstname!: string;

  @Column('text')
  lastname!: string;

  /** The checksum of the fields; null when another program wrote the row. */
  @Column('integer', { nullable: true })
  seal!: number | null;
}
